"""What `manage.py up` does.

up          the order of things: services, migrations, web server and worker, and the end of all
parts       the processes that there are, each with its command and how it is stopped
supervisor  starts them, starts them again, gives up, stops them
output      one log of all, with names and levels
first_steps migrations, static files, the user `demo`
lock        one `up` for one var/
"""
