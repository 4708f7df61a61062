"""``vmr mcp``: what agents can do with films, by the Model Context Protocol.

allowed.py  which paths may be opened: those in folders that whoever starts the server names
answers.py  what agents get, as records with a schema
desk.py     what the tools do, for films that are allowed; knows nothing of the protocol
work.py     a run in a thread, told of and broken off from an event loop
server.py   the tools as the protocol has them: the one door to the ``mcp`` package
"""
