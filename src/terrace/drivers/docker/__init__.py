"""Docker Engine over its socket, or TCP with TLS. The door is driver.py; what it may do is in settings.py."""
