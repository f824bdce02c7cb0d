"""FAISS IndexFlatIP: exact search for the best ten over random unit rows. usage: search.py SIZE DIM QUERIES,QUERIES,... THREADS;
prints one JSON line with the median of each number of queries at a time, in milliseconds."""
import json, statistics, sys, time
import faiss, numpy as np

size, dim, counts, threads = int(sys.argv[1]), int(sys.argv[2]), [int(n) for n in sys.argv[3].split(',')], int(sys.argv[4])
faiss.omp_set_num_threads(threads)
random = np.random.default_rng(1)


def rows(count):
    x = random.standard_normal((count, dim), dtype=np.float32); faiss.normalize_L2(x)
    return x


index = faiss.IndexFlatIP(dim)
for first in range(0, size, 50_000): index.add(rows(min(50_000, size - first)))
queries, result = rows(max(counts)), []
for count in counts:
    times, begin = [], time.perf_counter()
    while len(times) < 3 or (len(times) < 30 and time.perf_counter() - begin < 5):
        start = time.perf_counter(); index.search(queries[:count], 10); times.append(time.perf_counter() - start)
    result.append({'queries': count, 'medianMs': 1000 * statistics.median(times)})
print(json.dumps({'faiss': faiss.__version__, 'searches': result}))
