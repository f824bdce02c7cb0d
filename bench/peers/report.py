"""Reads bench/compare.sh's results (a tag, a tab, what the program printed) and the machine from standard input; writes docs/benchmarks.md."""
import json, re, statistics, sys

values, extra, facts = {}, {}, {}


def add(row, who, value): values.setdefault(row, {}).setdefault(who, []).append(value)


for line in sys.stdin:
    tag, _, text = line.rstrip('\n').partition('\t')
    kind, _, name = tag.partition(' ')
    if not text: continue  # A program that failed; the row then lacks a round.
    if kind == 'fact':
        facts[name] = text
    elif kind == 'ours-head':
        rows = {(r['loss'], r['classes']): r for r in json.loads(text)}
        for (loss, classes), r in rows.items():
            if classes != 1_000_000: continue
            small = rows[loss, 100_000]
            add('head ' + loss, 'ours', r['stepMs']); add('gemm ' + loss, 'ours', r['stepMs'] / r['gemmMs']); add('memory ' + loss, 'ours', r['extraMb'])
            add('growth ' + loss, 'ours', r['stepMs'] / small['stepMs']); add('memory growth ' + loss, 'ours', r['extraMb'] - small['extraMb'])
    elif kind == 'peer-head':
        step, base, peak = re.search(r'step (\d+) ms +base (\d+) MB peak (\d+) MB', text).groups()
        add('head ' + name, 'peer', float(step)); add('memory ' + name, 'peer', float(peak) - float(base))
    elif kind == 'ours-step':
        r = json.loads(text); add('train ' + name, 'ours', r['trainImagesPerSecond']); add('infer ' + name, 'ours', r['inferImagesPerSecond'])
    elif kind == 'peer-step':
        r = json.loads(text); add('train ' + name, 'peer', r['train']); add('infer ' + name, 'peer', r['infer']); facts['PyTorch'] = r['torch']
    elif kind == 'ours-data':
        r = json.loads(text); add('data', 'ours', r['imagesPerSecond']); add('overhead', 'ours', 100 * r['stepOverhead'])
    elif kind == 'peer-data':
        r = json.loads(text); add('data', 'peer', r['imagesPerSecond']); facts['OpenCV'] = r['opencv']
    elif kind == 'ours-search':
        speeds = json.loads(text); add('exact', 'ours', min(r['exact'] for r in speeds))
        for r in speeds: add(f'search {r["queries"]}', 'ours', r['medianMs'])
    elif kind == 'peer-search':
        r = json.loads(text); facts['FAISS'] = r['faiss']
        for q in r['searches']: add(f'search {q["queries"]}', 'peer', q['medianMs'])

print('# Benchmarks\n')
print('Written by `bench/compare.sh`: ours and the peers in turn on one machine, each figure the median of the rounds, a ratio the median')
print('of the rounds\' own ratios (smallest to largest in brackets). A ratio above 1 says that ours is faster.\n')
counts = [len(v) for row in values.values() for v in row.values()]
facts['rounds'] = f'{min(counts)} to {max(counts)}' if min(counts) < max(counts) else counts[0]
for name, text in facts.items(): print(f'- {name}: {text}')
print('\n| what | ours | peer | ratio |\n|---|---|---|---|')


def row(title, key, unit, digits=1, ratio=True, lower=False):
    ours, peer = values.get(key, {}).get('ours', []), values.get(key, {}).get('peer', [])
    show = lambda v: f'{statistics.median(v):,.{digits}f} {unit}' if v else 'not measured'
    text = ''
    if ratio and ours and peer:
        each = sorted(p / max(o, 1) if lower else o / p for o, p in zip(ours, peer)); text = f'**{statistics.median(each):.2f}** ({each[0]:.2f} to {each[-1]:.2f})'
    if ours or peer: print(f'| {title} | {show(ours)} | {show(peer) if ratio else ""} | {text} |')


for loss in ('uce', 'cosface'):
    row(f'head step, {loss}, 1,000,000 people, batch 128 (ours with the optimizer, peer without)', 'head ' + loss, 'ms', 0, lower=True)
    row(f'the same as a multiple of the three bare matrix products', 'gemm ' + loss, 'x', 2, ratio=False)
    row(f'the same, memory above centers and momentum (peer: above its weights)', 'memory ' + loss, 'MB', 0, lower=True)
    row(f'the same as a multiple of a step with 100,000 people', 'growth ' + loss, 'x', 1, ratio=False)
    row(f'the same, memory more than with 100,000 people', 'memory growth ' + loss, 'MB', 0, ratio=False)
for net in ('mobilefacenet', 'mobilefacenet-x0.5', 'iresnet18'):
    row(f'training step, {net}', 'train ' + net, 'images/s'); row(f'inference, {net}', 'infer ' + net, 'images/s')
row('pictures decoded, mirrored, normalised (peer: OpenCV and numpy)', 'data', 'images/s', 0)
row('a step of mobilefacenet x 0.5 takes longer with the loader by', 'overhead', '%', 1, ratio=False)
for queries in (1, 16, 256):
    row(f'exact best ten of 1,000,000 x 512, {queries} at a time (peer: FAISS IndexFlatIP)', f'search {queries}', 'ms', 1, lower=True)
row('the same, share of 1,000 check queries answered as brute force answers, ids, order and scores', 'exact', '', 3, ratio=False)
print('\nThe training step is a backbone with a normalised softmax over 10,000 people, SGD with momentum and weight decay, float32; ours')
print('also clips gradients and watches for NaN. The peer is PyTorch eager in the better of its two memory layouts, same batch and threads.')
