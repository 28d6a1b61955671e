"""The limiter: keeps an API at what it allows without being refused. Pure: time is passed in as float seconds.

Rule of this room: it decides and never acts. No task, no clock, no I/O; `engine.tickets` is the thin asyncio face.
"""
