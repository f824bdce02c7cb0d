using System.Diagnostics;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests;

/// <summary>The setup scripts are silent and succeed on a machine that has everything.</summary>
public class SetupTests
{
    /// <summary>Every ./uniface runs the check; a broken pipe once made one start in twenty fail silently.</summary>
    [Fact]
    public void System_check_is_silent_if_nothing_is_missing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "setup/ is for Linux");
        for (int run = 0; run < 60; run++)
        {
            ProcessStartInfo start = new(Path.Combine(Checkout.Root, "setup", "system.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal((0, ""), (process.ExitCode, output));
        }
    }
}
