using UniFace.Packages;
using UniFace.Tests.Data;

namespace UniFace.Tests.Packages;

/// <summary>What is installed is never looked for in the current folder.</summary>
public sealed class UniFaceHomeTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly string? home = Environment.GetEnvironmentVariable("HOME"), data = Environment.GetEnvironmentVariable("XDG_DATA_HOME");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("HOME", home);
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", data);
        folder.Dispose();
    }

    [Fact]
    public void A_home_without_a_folder_of_application_data_has_its_place_all_the_same()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "HOME is of Unix.");
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", null);
        Environment.SetEnvironmentVariable("HOME", folder.Root);
        Assert.Equal(folder[".local/share/uniface"], UniFaceHome.InUserData());
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", folder["data"]);
        Assert.Equal(folder["data/uniface"], UniFaceHome.InUserData());
    }

    [Theory]
    [InlineData("somewhere")]
    [InlineData("./here")]
    [InlineData("/")]
    public void A_home_that_is_relative_or_none_is_none(string relative)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "HOME is of Unix.");
        Assert.SkipWhen(Directory.Exists("/.local/share"), "There is application data in the root folder.");
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", relative == "/" ? null : relative);
        Environment.SetEnvironmentVariable("HOME", relative);
        Assert.Null(UniFaceHome.InUserData());
        Assert.All(UniFaceHome.Folders(), f => Assert.True(Path.IsPathFullyQualified(f), f));
    }

    [Fact]
    public void A_missing_home_is_the_systems_never_the_current_folder()
    {
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", null);
        Environment.SetEnvironmentVariable("HOME", null);
        Assert.True(UniFaceHome.InUserData() is not string own || Path.IsPathFullyQualified(own));
    }
}
