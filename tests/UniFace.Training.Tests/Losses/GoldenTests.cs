using TorchSharp;
using UniFace.TestSupport;
using UniFace.Training.Losses.Checks;

namespace UniFace.Training.Tests.Losses;

public class GoldenTests
{
    [Theory]
    [InlineData(torch.ScalarType.Float64)]
    [InlineData(torch.ScalarType.Float32)]
    public void Every_golden_case_matches_in_loss_gradients_and_state(torch.ScalarType dtype)
    {
        IReadOnlyList<LossCase> cases = LossCaseFile.Read(SharedData.Require("golden/losses.json"));
        Assert.True(cases.Count >= 38, $"{cases.Count} cases");
        Assert.All(cases, golden =>
        {
            CaseOutcome outcome = LossCheck.Run(golden, dtype);
            Assert.True(outcome.Passed, $"case {golden.Number} {golden.Spec}: ours {outcome.Loss}, expected {golden.Loss}; {string.Join(", ", outcome.Errors)}");
        });
    }
}
