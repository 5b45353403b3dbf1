"""The search beside what anyone could train without one: was it worth its cost?"""
