using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Runs;

[Collection(Alone.Name)]
public sealed class RunLockTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("uniface-claim-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_run_is_locked_by_one_process_at_a_time_and_unlocked_afterwards()
    {
        Assert.False(RunLock.IsHeld(root));
        using (RunLock.Acquire(root))
        {
            Assert.True(RunLock.IsHeld(root));
            Assert.Contains("another process", Assert.Throws<UniFaceException>(() => RunLock.Acquire(root)).Message, StringComparison.Ordinal);
        }

        Assert.False(RunLock.IsHeld(root));
        RunLock.Acquire(root).Dispose();
    }

    [Fact]
    public void Training_refuses_a_run_that_another_process_trains_or_has_trained_since_it_was_opened()
    {
        string folder = Path.Combine(root, "run");
        using Trainer first = Toy.Open(folder, Toy.Options);
        using Trainer second = Toy.Open(folder, Toy.Options);
        bool refused = false;
        first.Run(
            new TrainingEvents
            {
                Progress = _ =>
                {
                    if (!refused)
                    {
                        Assert.Throws<UniFaceException>(() => second.Run(null, TestContext.Current.CancellationToken));
                        refused = true;
                    }
                },
            },
            TestContext.Current.CancellationToken);
        Assert.True(refused);
        UniFaceException stale = Assert.Throws<UniFaceException>(() => second.Run(null, TestContext.Current.CancellationToken));
        Assert.Contains("in the meantime", stale.Message, StringComparison.Ordinal);
    }
}
