using System.Diagnostics;
using UniFace.TestSupport;
using UniFace.Vision.Detection;

namespace UniFace.Cli.Tests.Packaging;

/// <summary>The setup scripts are silent and succeed on a machine that has everything.</summary>
public class SetupTests
{
    /// <summary>Every ./uniface runs the setup; a broken pipe once made one start in twenty fail silently.</summary>
    [Fact]
    public void Setup_is_silent_if_nothing_is_missing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "setup/ is for Unix");
        Assert.SkipWhen(FaceDetectors.Installed() is null, "needs the default detector; run setup/models.sh");
        for (int run = 0; run < 30; run++)
        {
            ProcessStartInfo start = new(Path.Combine(Checkout.Root, "setup", "setup.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal((0, ""), (process.ExitCode, output));
        }
    }

    [Fact]
    public void Setup_leaves_the_configuration_of_apt_alone()
    {
        string[] setup = [.. Directory.GetFiles(Path.Combine(Checkout.Root, "setup"))
            .Where(f => File.ReadAllText(f).Contains("/etc/apt", StringComparison.Ordinal))];
        Assert.Equal(["postgres.sh"], setup.Select(Path.GetFileName)); // reads the address of Debian's packages
        Assert.DoesNotContain(">/etc/apt", File.ReadAllText(setup[0]), StringComparison.Ordinal);
    }
}
