"""Many copies of the program against the same caps: a server that counts, the copies, and what must hold afterwards."""
