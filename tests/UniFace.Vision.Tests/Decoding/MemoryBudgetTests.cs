using UniFace.Faces;
using UniFace.Vision.Decoding;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests.Decoding;

/// <summary>All decoders together stay within the budget; a photo of any size waits for its share and never fails because of it.</summary>
public class MemoryBudgetTests
{
    [Fact]
    public void The_total_of_all_shares_never_exceeds_the_budget()
    {
        MemoryBudget budget = new(100);
        long taken = 0, most = 0;
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            long need = 1 + (i * 37 % 60);
            using MemoryBudget.Share share = budget.Acquire(need);
            long now = Interlocked.Add(ref taken, need);
            InterlockedMax(ref most, now);
            Thread.Yield();
            Interlocked.Add(ref taken, -need);
        });
        Assert.InRange(most, 1, 100);
    }

    [Fact]
    public async Task Large_photos_do_not_starve_and_one_above_the_budget_runs_alone()
    {
        MemoryBudget budget = new(100);
        MemoryBudget.Share first = budget.Acquire(50);
        int order = 0, large = 0, small = 0;
        Task giant = Task.Factory.StartNew(() => Run(1000, ref large), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Waiting(1);
        Task dwarf = Task.Factory.StartNew(() => Run(1, ref small), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Waiting(2);
        Assert.Equal(0, order);
        first.Dispose();
        await Task.WhenAll(giant, dwarf);
        Assert.Equal((1, 2), (large, small));

        void Run(long need, ref int place)
        {
            using MemoryBudget.Share share = budget.Acquire(need);
            place = Interlocked.Increment(ref order);
        }

        async Task Waiting(int count)
        {
            while (budget.Waiting < count)
            {
                await Task.Delay(1);
            }
        }
    }

    [Fact]
    public void Photos_wait_for_memory_and_all_are_decoded()
    {
        RgbImage image = TestImages.Noise(50, 50, seed: 5);
        byte[] png = ImageEncoder.Png(image);
        SkiaImageDecoder decoder = new() { Budget = new MemoryBudget(1) };
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => Assert.Equal(image.Pixels, decoder.Decode(png, "a").Pixels));
    }

    [Fact]
    public void A_photo_that_cannot_be_decoded_releases_its_share_of_the_budget()
    {
        MemoryBudget budget = new(1000);
        SkiaImageDecoder decoder = new() { Budget = budget };
        byte[] png = ImageEncoder.Png(new RgbImage(10, 10));
        png[50] ^= 0xFF;
        for (int i = 0; i < 20; i++)
        {
            Assert.Throws<UniFaceException>(() => decoder.Decode(png, "a.png"));
        }

        budget.Acquire(1000).Dispose();
    }

    private static void InterlockedMax(ref long most, long now)
    {
        for (long seen = Interlocked.Read(ref most); now > seen; seen = Interlocked.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, now, seen);
        }
    }
}
