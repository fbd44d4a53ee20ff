"""An older program yet: a graph of its own, a session, and the trace of where each op ran."""

import sys

import tensorflow.compat.v1 as tf
from tensorflow.python.compiler.mlcompute import mlcompute

import data

tf.disable_v2_behavior()
mlcompute.set_mlc_device(device_name=sys.argv[1])

images, labels = data.load()
x = tf.placeholder(tf.float32, (None, 12, 12, 1))
y = tf.placeholder(tf.int64, (None,))
filters = tf.Variable(tf.random.truncated_normal((3, 3, 1, 8), stddev=0.3, seed=1))
bias = tf.Variable(tf.zeros((8,)))
features = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, filters, strides=1, padding="SAME"), bias))
pooled = tf.reshape(tf.nn.max_pool2d(features, 2, 2, padding="VALID"), (-1, 6 * 6 * 8))
weights = tf.Variable(tf.random.truncated_normal((6 * 6 * 8, data.CLASSES), stddev=0.1, seed=2))
logits = tf.matmul(pooled, weights)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

losses = []
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for epoch in range(4):
        for at in range(0, len(images), 32):
            feed = {x: images[at : at + 32], y: labels[at : at + 32]}
            losses.append(session.run([loss, step], feed)[0])
    trace = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    session.run(step, feed, options=options, run_metadata=trace)
for device in trace.step_stats.dev_stats:
    for node in device.node_stats:
        print("traced %s %s" % (device.device, node.node_name))
print("losses %s" % " ".join("%.4f" % loss for loss in losses[::8]))
