"""What a release needs beside the package: licences, an audit, files that build alike."""
