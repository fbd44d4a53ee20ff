"""Changes of other forms brought into a queue, and queues taken elsewhere."""
