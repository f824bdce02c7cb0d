using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Packaging;

/// <summary>A task takes at most five lines of C#. tests/packages.sh builds and runs the samples from the packages.</summary>
public class SampleTests
{
    [Theory]
    [InlineData("Verify")]
    [InlineData("Gallery")]
    [InlineData("Train")]
    [InlineData("Service")]
    public void A_sample_has_at_most_five_lines(string name)
    {
        string[] lines = [.. File.ReadLines(Path.Combine(Checkout.Root, "samples", name, "Program.cs"))
            .Where(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal) && !IsDirective(line))];
        Assert.InRange(lines.Length, 2, 5);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 160));
    }

    private static bool IsDirective(string line) => line.StartsWith("using ", StringComparison.Ordinal) && !line.Contains('=');
}
