"""The command line, ``vmr``: what is asked, how far it is, and how it ends."""
