"""Load balancers: containers that run HAProxy.

What stands on one (listeners, pools, members, monitors) is kept in a file inside its container, from which its
configuration follows. So a listing shows it, a container that vanished takes it along, and it is made anew from
Terrace's records. Only what has come into effect is in that file.
"""
