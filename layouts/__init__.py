"""What simulator and writer agree on: the beamline, the stream, the files, as values and pure functions.

Nothing here opens a socket, starts a process or speaks Channel Access. Only the modules whose names end in
``_h5`` touch HDF5.
"""
