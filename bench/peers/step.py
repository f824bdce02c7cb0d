"""PyTorch eager: a training step (backbone, normalised softmax over 10,000 people, SGD with momentum and weight decay) and inference,
in both memory layouts. usage: step.py BACKBONE BATCH STEPS THREADS; prints one JSON line. Medians after a warm-up."""
import json, statistics, sys, time
import torch
import torch.nn.functional as F

# The networks are the peers' own, shared/peers/net.py, whose last lines (its own measurement) are left away.
exec(open('/bench/net.py').read().split('for cl in (False')[0])
name, batch, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
make = {'mobilefacenet': lambda: mobile(), 'mobilefacenet-x0.5': lambda: mobile(.5), 'iresnet18': lambda: ires([2, 2, 2, 2])}[name]


def median(action):
    times = []
    for i in range(steps + 2):
        start = time.perf_counter(); action()
        if i >= 2: times.append(time.perf_counter() - start)
    return statistics.median(times)


result = {}
for layout in ('contiguous', 'channelsLast'):
    memory = torch.channels_last if layout == 'channelsLast' else torch.contiguous_format
    net = make().to(memory_format=memory).train()
    centers = torch.randn(10000, 512, requires_grad=True)
    optimizer = torch.optim.SGD([*net.parameters(), centers], 0.001, 0.9, weight_decay=5e-4)
    x, y = torch.randn(batch, 3, 112, 112).to(memory_format=memory), torch.randint(0, 10000, (batch,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(64 * F.linear(F.normalize(net(x)), F.normalize(centers)), y).backward()
        optimizer.step()

    def infer():
        with torch.no_grad(): net(x)

    train = median(step); net.eval(); pass_ = median(infer)
    result[layout] = {'train': batch / train, 'infer': batch / pass_}
best = {what: max(r[what] for r in result.values()) for what in ('train', 'infer')}
print(json.dumps({**best, 'layouts': result, 'torch': torch.__version__}))
