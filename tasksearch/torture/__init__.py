"""Studies that are killed on purpose: does a resumed one end with the numbers of an undisturbed one?"""
