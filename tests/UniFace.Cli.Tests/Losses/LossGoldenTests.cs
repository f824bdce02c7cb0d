using TorchSharp;
using UniFace.Cli.Losses;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Losses;

/// <summary>Every loss reproduces the loss, gradients and state of the golden file, which was computed independently.</summary>
public class LossGoldenTests
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
            string errors = string.Join(", ", outcome.Errors);
            Assert.True(outcome.Passed, $"case {golden.Number} {golden.Parameters.Loss}: actual {outcome.Loss}, expected {golden.Loss}; {errors}");
        });
    }
}
