"""The pages: views, forms, template tags, and the data that templates show.

May import `sessions_core` and `agents`, never `chatapp.launcher`. A new page is a view in `views/`, a template, and a line in
`chatapp/urls.py`.
"""
