using UniFace.Packages;
using UniFace.Tests.Data;

namespace UniFace.Tests.Packages;

/// <summary>Installed files are never searched in the current folder.</summary>
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
    public void A_home_without_an_application_data_folder_still_has_a_path_for_it()
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
    public void A_relative_or_missing_home_folder_is_not_used(string relative)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "HOME is of Unix.");
        Assert.SkipWhen(Directory.Exists("/.local/share"), "There is application data in the root folder.");
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", relative == "/" ? null : relative);
        Environment.SetEnvironmentVariable("HOME", relative);
        Assert.Null(UniFaceHome.InUserData());
        Assert.All(UniFaceHome.Folders(), f => Assert.True(Path.IsPathFullyQualified(f), f));
    }

    [Fact]
    public void Without_HOME_the_folder_is_the_systems_and_never_the_current_one()
    {
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", null);
        Environment.SetEnvironmentVariable("HOME", null);
        Assert.True(UniFaceHome.InUserData() is not string own || Path.IsPathFullyQualified(own));
    }

    [Fact]
    public void Models_of_NuGet_packages_are_found_beside_the_program_and_nothing_is_written_there()
    {
        string beside = Path.Combine(AppContext.BaseDirectory, "models", "beside-the-program");
        Directory.CreateDirectory(beside);
        try
        {
            Assert.Null(InstalledModels.Find("beside-the-program"));
            File.WriteAllText(Path.Combine(beside, ModelManifest.FileName), "{}");
            Assert.Equal(beside, InstalledModels.Find("beside-the-program"));
            Assert.Contains("beside-the-program", InstalledModels.List());
            Assert.DoesNotContain(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory), UniFaceHome.Folders());
        }
        finally
        {
            Directory.Delete(beside, recursive: true);
        }
    }
}
