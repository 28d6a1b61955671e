"""The only room with tasks: workers carry items through their chains, one writer makes what they bring durable."""
