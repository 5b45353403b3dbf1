"""The search's pick beside baselines that need no search: was the search worth its cost?"""
