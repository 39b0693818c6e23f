"""What the decorator for Celery tasks did: a counter on entry, then one of two others, and a timer on success.

usage: decorator.py HOST PORT TASK CALLS FAILURES
"""

import functools
import sys

import statsd

host, port, task, calls, failures = sys.argv[1:]
statsd.Connection.set_defaults(host=host, port=int(port))


def instrument(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        name = function.__name__
        status = statsd.Counter('celery.tasks.status.' + name)
        timer = statsd.Timer('celery.tasks.duration.' + name)
        status.increment('started')
        timer.start()
        try:
            result = function(*args, **kwargs)
        except Exception:
            status.increment('exceptions')
            raise
        status.increment('success')
        timer.stop('success')
        return result

    return wrapper


def run(number):
    if number < int(failures):
        raise ValueError(number)
    return number


run.__name__ = task
run = instrument(run)

for number in range(int(calls)):
    try:
        run(number)
    except ValueError:
        pass
