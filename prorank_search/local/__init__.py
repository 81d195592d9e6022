"""A real OpenSearch on this machine, from Maven artifacts: no Docker, no Java of the system's own.

For trying and testing: it has no password and no TLS, and answers on the loopback address only.

    engine.up(settings.home)           assemble what is missing, start, wait until it answers
    engine.status(settings.home)       what is so now, whatever happened to it
    engine.down(settings.home)
"""
