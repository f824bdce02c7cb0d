using System.Text.Json;

namespace UniFace.Cli.Tests.Bench;

/// <summary>bench plan prints a prediction for each loss, number of ranks and number of people.</summary>
public class BenchPlanCommandTests
{
    [Fact]
    public void Bench_plan_prints_every_documented_field()
    {
        JsonElement[] plans = [.. CliProcess.Run(
            "bench", "plan", "--ranks", "8,64", "--classes", "1000000,10000000", "--loss", "uce,arcface(margin=0.4)", "--device", "a100", "--backbone",
            "mobilefacenet", "--batch", "32", "--json").Expect(0).Json().EnumerateArray()];
        Assert.Equal(
            from loss in new[] { "uce", "arcface" } from ranks in new[] { 8, 64 } from classes in new[] { 1_000_000, 10_000_000 } select (loss, ranks, classes),
            plans.Select(p => (p.GetProperty("loss").GetString()!, p.GetProperty("ranks").GetInt32(), p.GetProperty("classes").GetInt32())));
        string[] parts = ["forwardMs", "headMs", "exchangeMs", "backwardMs", "reduceMs", "optimizerMs"];
        foreach (JsonElement plan in plans)
        {
            Assert.Equal(plan.GetProperty("stepMs").GetDouble(), parts.Sum(part => plan.GetProperty(part).GetDouble()), 1e-9);
            int images = plan.GetProperty("globalBatch").GetInt32();
            Assert.Equal(32 * plan.GetProperty("ranks").GetInt32(), images);
            Assert.Equal(plan.GetProperty("loss").GetString() == "uce" ? 2 : 4, plan.GetProperty("headCalls").GetInt32());
            Assert.Equal(images * 1000 / plan.GetProperty("stepMs").GetDouble(), plan.GetProperty("imagesPerSecond").GetDouble(), 1e-6);
            Assert.True(plan.GetProperty("memoryGb").GetDouble() > plan.GetProperty("centersGb").GetDouble());
            Assert.True(plan.GetProperty("fits").GetBoolean());
        }
    }

    [Fact]
    public void Bench_plan_says_what_does_not_fit() => Assert.Contains(
        "(too much)", CliProcess.Run("bench", "plan", "--ranks", "1", "--classes", "100000000", "--loss", "uce").Expect(0).Out, StringComparison.Ordinal);

    [Theory]
    [InlineData("--device", "tpu")]
    [InlineData("--ranks", "0")]
    [InlineData("--classes", "1e6")]
    [InlineData("--loss", "triplet")]
    [InlineData("--backbone", "efficientnet-b0")]
    [InlineData("--sample-rate", "0")]
    public void Bad_input_prints_one_line_and_exits_with_2(params string[] args)
    {
        CliResult result = CliProcess.Run(["bench", "plan", .. args]).Expect(2);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Trim().Split('\n'));
    }
}
