using CsCheck;

namespace UniFace.Tests;

/// <summary>A parallel loop visits each index once, throws what its body threw, and stops when it is cancelled.</summary>
public class ParallelLoopTests
{
    [Fact]
    public void Ranges_contain_each_index_once_and_are_not_longer_than_their_size() => Gen.Select(Gen.Int[0, 300], Gen.Int[1, 70]).Sample((count, size) =>
    {
        int[] visits = new int[count];
        ParallelLoop.RunRanges(count, size, (first, end) =>
        {
            Assert.InRange(end - first, 1, size);
            for (int i = first; i < end; i++)
            {
                Interlocked.Increment(ref visits[i]);
            }
        });
        Assert.All(visits, visit => Assert.Equal(1, visit));
    }, iter: 100);

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void The_exception_of_the_body_is_not_wrapped(int count) => Assert.Equal(
        "bad image", Assert.Throws<UniFaceException>(() => ParallelLoop.Run(count, _ => throw new UniFaceException("bad image"))).Message);

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void A_cancelled_loop_does_not_run(int count) => Assert.ThrowsAny<OperationCanceledException>(
        () => ParallelLoop.Run(count, _ => Assert.Fail("the body ran"), cancellationToken: new CancellationToken(canceled: true)));
}
