"""The Dectris stream, version 1 (JSON and blobs) and version 2 (CBOR), to and from bytes."""
