"""What `manage.py up` does: runs all programs of this machine for as long as it runs itself.

lifecycle    the order: services, migrations, web server and worker; and the end of all
programs     the programs, each with its command and its stop signal
supervisor   starts programs, restarts them when they die, gives up, stops them
output       one log of all programs, with names and levels
preparation  migrations, static files and the user `demo`
lock         allows one `up` for each VAR_DIR
"""
