using UniFace.IO;

namespace UniFace.Tests.Files;

/// <summary>No read is in progress after a loop over read-ahead pieces has ended in any way, so the caller can dispose what the reads use.</summary>
public class ReadAheadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void No_read_is_in_progress_after_the_loop_ends_breaks_or_throws(int leaveAt)
    {
        foreach (bool throws in (ReadOnlySpan<bool>)[false, true])
        {
            int running = 0, disposed = 0, misuse = 0;
            IEnumerable<int> pieces = ReadAhead.Enumerate(4, (piece, _) =>
            {
                Interlocked.Increment(ref running);
                Thread.Sleep(20);
                Interlocked.Add(ref misuse, Volatile.Read(ref disposed));
                Interlocked.Decrement(ref running);
                return piece;
            });
            List<int> seen = [];
            try
            {
                foreach (int piece in pieces)
                {
                    if (piece == leaveAt)
                    {
                        if (throws)
                        {
                            throw new InvalidOperationException();
                        }

                        break;
                    }

                    seen.Add(piece);
                }
            }
            catch (InvalidOperationException)
            {
            }

            disposed = 1;
            Assert.Equal(0, running);
            Assert.Equal(Enumerable.Range(0, Math.Min(leaveAt, 4)), seen);
            Assert.Equal(0, misuse);
        }
    }

    [Fact]
    public void An_exception_of_a_read_reaches_the_loop_and_is_ignored_after_the_loop_was_left()
    {
        IEnumerable<int> pieces = ReadAhead.Enumerate(3, (piece, _) => piece == 1 ? throw new UniFaceException("broken") : piece);
        Assert.Equal("broken", Assert.Throws<UniFaceException>(() => pieces.Count()).Message);
        Assert.Equal(0, pieces.First());
        Assert.Empty(ReadAhead.Enumerate(0, (_, _) => 1));
    }
}
