namespace UniFace.Training.Tests.Distributed;

/// <summary>Starts <see cref="HalfPrecisionRanks"/> under mpiexec.</summary>
[Collection(SerialCollection.Name)]
public class HalfPrecisionMpiTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Ranks_skip_together(int ranks) => RankTest.RunClasses(ranks, typeof(HalfPrecisionRanks));
}
