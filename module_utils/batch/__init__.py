"""Write batch scripts, read schedulers' answers and follow jobs.

The Ansible modules ``batch_*`` and the render manager use this package. One file for each scheduler (torque, pbspro,
slurm) has its directives, commands, states and codes; ``registry`` lists them. The package imports the standard
library alone and has the syntax of Python 3.8: it runs with the Python of a login node as well as in the worker."""
