using System.Diagnostics;

namespace UniFace.Cli.Tests;

public class SetupTests
{
    /// <summary>Every ./uniface runs it: a broken pipe once ended one start in twenty without a word.</summary>
    [Fact]
    public void Where_nothing_is_missing_the_system_check_is_silent_and_never_fails()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "setup/ is for Linux");
        for (int run = 0; run < 60; run++)
        {
            using Process process = Process.Start(new ProcessStartInfo(Path.Combine(Checkout.Root, "setup", "system.sh")) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal((0, ""), (process.ExitCode, said));
        }
    }
}
