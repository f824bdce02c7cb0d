"""Reads the results of bench/compare.sh (tag, tab, output of the program) from standard input and writes docs/benchmarks.md."""
import json, re, statistics, sys

values, extra, facts = {}, {}, {}


def add(row, who, value): values.setdefault(row, {}).setdefault(who, []).append(value)


for line in sys.stdin:
    tag, _, text = line.rstrip('\n').partition('\t')
    kind, _, name = tag.partition(' ')
    if not text: continue  # A program failed; the row has one round less.
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
print('Written by `bench/compare.sh`, which runs UniFace and its peers alternately on one machine. Each figure is the median of the rounds; each ratio is the')
print('median of the ratios of the rounds, with the range in parentheses. Above 1, UniFace is faster or smaller.\n')
counts = [len(v) for row in values.values() for v in row.values()]
facts['rounds'] = f'{min(counts)} to {max(counts)}' if min(counts) < max(counts) else counts[0]
for name, text in facts.items(): print(f'- {name}: {text}')
print('\n| measurement | UniFace | peer | ratio |\n|---|---|---|---|')


def row(title, key, unit, digits=1, ratio=True, lower=False):
    ours, peer = values.get(key, {}).get('ours', []), values.get(key, {}).get('peer', [])
    show = lambda v: f'{statistics.median(v):,.{digits}f} {unit}' if v else 'not measured'
    text = ''
    if ratio and ours and peer:
        each = sorted(p / max(o, 1) if lower else o / p for o, p in zip(ours, peer))
        text = f'**{statistics.median(each):.2f}** ({each[0]:.2f} to {each[-1]:.2f})'
    if ours or peer: print(f'| {title} | {show(ours)} | {show(peer) if ratio else ""} | {text} |')


for loss in ('uce', 'cosface'):
    row(f'head step, {loss}, 1,000,000 people, batch 128 (UniFace includes the optimizer, the peer does not)', 'head ' + loss, 'ms', 0, lower=True)
    row(f'the same, relative to the three bare matrix products', 'gemm ' + loss, 'x', 2, ratio=False)
    row(f'the same, memory beyond centers and momentum (peer: beyond its weights)', 'memory ' + loss, 'MB', 0, lower=True)
    row(f'the same, relative to a step with 100,000 people', 'growth ' + loss, 'x', 1, ratio=False)
    row(f'the same, additional memory compared with 100,000 people', 'memory growth ' + loss, 'MB', 0, ratio=False)
for net in ('mobilefacenet', 'mobilefacenet-x0.5', 'iresnet18'):
    row(f'training step, {net}', 'train ' + net, 'images/s'); row(f'inference, {net}', 'infer ' + net, 'images/s')
row('images decoded, mirrored, normalized (peer: OpenCV and numpy)', 'data', 'images/s', 0)
row('additional time of a step of mobilefacenet x 0.5 with the loader', 'overhead', '%', 1, ratio=False)
for queries in (1, 16, 256):
    row(f'exact best ten of 1,000,000 x 512, {queries} per search (peer: FAISS IndexFlatIP)', f'search {queries}', 'ms', 1, lower=True)
row('share of 1,000 check queries with the answers of brute force (ids, order, scores)', 'exact', '', 3, ratio=False)
print('\nThe training step is a backbone with a normalized softmax over 10,000 people, SGD with momentum and weight decay, in float32. UniFace also clips')
print('gradients and checks for NaN. The peer is PyTorch eager in the better of its two memory layouts, with the same batch and threads.')
