namespace UniFace.Training.Tests.Distributed;

/// <summary>Starts the tests whose names end in Ranks under mpiexec.</summary>
[Collection(SerialCollection.Name)]
public class MpiTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Ranks_equal_one_process(int ranks) => RankTest.RunClasses(
        ranks, typeof(CommunicatorRanks), typeof(HeadRanks), typeof(StepRanks), typeof(CheckpointRanks), typeof(ReadRanks));
}
