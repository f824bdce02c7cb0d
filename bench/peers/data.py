"""OpenCV and numpy, as training scripts read faces: decode an image, mirror every second one, normalize into a batch.
usage: data.py FOLDER THREADS; prints one JSON line with images per second."""
import json, os, random, sys, time
from concurrent.futures import ThreadPoolExecutor
import cv2, numpy as np

cv2.setNumThreads(1)
files = sorted(os.path.join(d, f) for d, _, fs in os.walk(sys.argv[1]) for f in fs if d != sys.argv[1] and f.endswith(('.jpg', '.png')))
random.Random(1).shuffle(files)


def load(path):
    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    if random.random() < .5: image = image[:, ::-1]
    return (image.transpose(2, 0, 1).astype(np.float32) - 127.5) / 127.5


with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    done, start = 0, None
    while start is None or time.perf_counter() - start < 3:
        for i in range(0, len(files) - 63, 64):
            np.stack(list(pool.map(load, files[i:i + 64])))
            if start is None: start = time.perf_counter(); continue
            done += 64
            if time.perf_counter() - start > 3: break
print(json.dumps({'imagesPerSecond': done / (time.perf_counter() - start), 'opencv': cv2.__version__}))
