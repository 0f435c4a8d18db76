"""Server-rendered pages: sign in, the jobs, one job."""
