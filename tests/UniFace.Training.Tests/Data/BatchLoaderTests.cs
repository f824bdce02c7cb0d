using UniFace.Faces;
using UniFace.Training.Data;
using UniFace.Training.Kernels;

namespace UniFace.Training.Tests.Data;

public class BatchLoaderTests
{
    private static readonly int[] Counts = [5, 9, 1, 14];

    [Fact]
    public void Batches_do_not_depend_on_threads_or_cache()
    {
        List<Copy> expected = ReadAll(threads: 1, cacheBytes: 0);
        Assert.Equal(2 * (29 / 4), expected.Count);
        foreach ((int threads, long cache) in new[] { (1, 1L << 20), (4, 0L), (4, 1L << 20), (7, 1L << 20) })
        {
            AssertSame(expected, ReadAll(threads, cache));
        }
    }

    [Fact]
    public void Reading_can_start_at_any_batch()
    {
        using MemoryDataset dataset = new(Counts);
        BatchLoader loader = Loader(dataset, 3);
        List<Copy> all = Copies(loader.Read(5));
        for (int first = 0; first <= all.Count; first++)
        {
            AssertSame(all[first..], Copies(Loader(dataset, 2).Read(5, first)));
        }
    }

    [Fact]
    public void A_batch_holds_normalized_channels_last_images_and_labels()
    {
        using MemoryDataset dataset = new(Counts);
        BatchLoader loader = Loader(dataset, 2, AugmentOptions.None);
        foreach (TrainingBatch batch in loader.Read(0))
        {
            using (batch)
            {
                Assert.Equal([4, 3, 6, 8], batch.Images.shape);
                Assert.True(ChannelsLastView.Fits(batch.Images));
                for (int i = 0; i < 4; i++)
                {
                    RgbImage image = MemoryDataset.Image(batch.Samples[i], 8, 6);
                    Assert.Equal(dataset.Samples[batch.Samples[i]].Label, batch.Labels[i].item<long>());
                    for (int c = 0; c < 3; c++)
                    {
                        for (int y = 0; y < 6; y++)
                        {
                            for (int x = 0; x < 8; x++)
                            {
                                float value = (image.Pixels[(((y * 8) + x) * 3) + c] - 127.5f) / 127.5f;
                                Assert.Equal(value, batch.Images[i, c, y, x].item<float>(), 1e-6f);
                            }
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void With_the_cache_every_image_is_decoded_once_in_all_epochs()
    {
        using MemoryDataset dataset = new(Counts);
        BatchLoader loader = new(dataset, new RawDecoder(), new UniformSampler(29, 1), AugmentOptions.Default, Options(1) with { BatchSize = 29 });
        for (int epoch = 0; epoch < 3; epoch++)
        {
            Copies(loader.Read(epoch));
        }

        Assert.Equal(29, dataset.Reads);
    }

    [Fact]
    public void Batches_before_a_damaged_image_are_returned_before_the_error()
    {
        foreach (int threads in new[] { 1, 4 })
        {
            using MemoryDataset dataset = new(Counts);
            int[] order = new UniformSampler(29, 7).GetOrder(0);
            dataset.Broken.Add(order[13]);
            dataset.Broken.Add(order[15]);
            BatchLoader loader = Loader(dataset, threads);
            int given = 0;
            UniFaceException error = Assert.Throws<UniFaceException>(() =>
            {
                foreach (TrainingBatch batch in loader.Read(0))
                {
                    batch.Dispose();
                    given++;
                }
            });
            Assert.Equal(3, given);
            Assert.Contains(dataset.Samples[order[13]].Name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Image_of_another_size_is_refused_with_advice_to_align()
    {
        using MemoryDataset dataset = new(Counts, width: 9);
        UniFaceException error = Assert.Throws<UniFaceException>(() => Copies(Loader(dataset, 2).Read(0)));
        Assert.Contains("9x6, expected 8x6", error.Message, StringComparison.Ordinal);
        Assert.Contains("align the faces", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_smaller_than_a_batch_is_an_error()
    {
        using MemoryDataset dataset = new([3, 4]);
        UniFaceException error = Assert.Throws<UniFaceException>(
            () => new BatchLoader(dataset, new RawDecoder(), new UniformSampler(7, 1), AugmentOptions.None, Options(1) with { BatchSize = 8 }));
        Assert.Contains("fewer than a batch of 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_ends_the_reading_with_a_cancellation()
    {
        using MemoryDataset dataset = new([500, 500]);
        using CancellationTokenSource stop = new();
        BatchLoader loader = new(dataset, new RawDecoder(), new UniformSampler(1000, 1), AugmentOptions.Default, Options(2));
        int given = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (TrainingBatch batch in loader.Read(0, 0, stop.Token))
            {
                batch.Dispose();
                if (++given == 5)
                {
                    stop.Cancel();
                }
            }
        });
        Assert.Equal(5, given);
    }

    private static BatchLoader Loader(MemoryDataset dataset, int threads, AugmentOptions? augment = null) =>
        new(dataset, new RawDecoder(), new UniformSampler(29, 7), augment ?? AugmentOptions.Default, Options(threads));

    private static LoaderOptions Options(int threads) => new() { BatchSize = 4, Seed = 3, Threads = threads, InputSize = (8, 6) };

    private static List<Copy> ReadAll(int threads, long cacheBytes)
    {
        using MemoryDataset dataset = new(Counts);
        LoaderOptions options = Options(threads) with { CacheBytes = cacheBytes };
        BatchLoader loader = new(dataset, new RawDecoder(), new UniformSampler(29, 7), AugmentOptions.Default, options);
        return [.. Copies(loader.Read(0)), .. Copies(loader.Read(1))];
    }

    private static List<Copy> Copies(IEnumerable<TrainingBatch> batches)
    {
        List<Copy> copies = [];
        foreach (TrainingBatch batch in batches)
        {
            using (batch)
            {
                copies.Add(new Copy(batch.Images.permute(0, 2, 3, 1).bytes.ToArray(), batch.Labels.data<long>().ToArray(), [.. batch.Samples]));
            }
        }

        return copies;
    }

    private static void AssertSame(List<Copy> expected, List<Copy> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i].Samples, actual[i].Samples);
            Assert.Equal(expected[i].Labels, actual[i].Labels);
            Assert.True(expected[i].Images.AsSpan().SequenceEqual(actual[i].Images), $"batch {i} has other pixels");
        }
    }

    private sealed record Copy(byte[] Images, long[] Labels, int[] Samples);
}
