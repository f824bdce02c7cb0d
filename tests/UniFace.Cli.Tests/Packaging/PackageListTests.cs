using System.Diagnostics;
using System.Text.Json;
using UniFace.TestSupport;
using UniFace.Vision.Models;

namespace UniFace.Cli.Tests.Packaging;

/// <summary>`dotnet pack` makes the packages that the README lists, and each says what it is. tests/packages.sh packs and uses them.</summary>
public class PackageListTests
{
    private static readonly Lazy<IReadOnlyList<Dictionary<string, string>>> Packages = new(ReadPackages);

    [Fact]
    public void The_packages_are_those_and_no_others() => Assert.Equal(
        [
            "UniFace", "UniFace.AspNetCore", "UniFace.Client", "UniFace.Gallery", "UniFace.Gallery.Postgres", "UniFace.Gallery.VectorData",
            "UniFace.Models.DlibResNet", "UniFace.Models.FaceDetection", "UniFace.Models.FaceLandmarks", "UniFace.Studio", "UniFace.Synthetic",
            "UniFace.Tool", "UniFace.Training", "UniFace.Vision",
        ],
        Packages.Value.Select(p => p["Identity"]).Order(StringComparer.Ordinal));

    [Fact]
    public void Each_package_has_its_metadata_and_a_readme_that_names_it()
    {
        Assert.Single(Packages.Value.Select(p => p["PackageVersion"]).Distinct());
        foreach (Dictionary<string, string> package in Packages.Value)
        {
            string id = package["Identity"], folder = Path.Combine(Checkout.Root, "src", package["Project"]);
            Assert.True(package["Description"].Length is > 30 and < 200, $"{id}: description \"{package["Description"]}\"");
            Assert.NotEmpty(package["Tags"]);
            Assert.Contains("Apache-2.0", package["License"], StringComparison.Ordinal);
            Assert.Equal(("README.md", "icon.png", "git"), (package["Readme"], package["Icon"], package["RepositoryType"]));
            Assert.StartsWith($"# {id}\n", File.ReadAllText(Path.Combine(folder, "README.md")), StringComparison.Ordinal);
            bool hasAssembly = package["Model"].Length == 0 && package["IsTool"] != "true";
            Assert.Equal(hasAssembly ? "true snupkg" : "false snupkg", package["Symbols"]);
        }

        Assert.Equal("uniface", Packages.Value.Single(p => p["IsTool"] == "true")["Command"]);
    }

    [Fact]
    public void A_model_package_has_a_licence_and_the_file_of_the_catalogue()
    {
        foreach (Dictionary<string, string> package in Packages.Value.Where(p => p["Model"].Length > 0))
        {
            CatalogueModel model = ModelCatalogue.Get(package["Model"]);
            string folder = Path.Combine(Checkout.Root, "src", package["Project"]);
            Assert.True(new FileInfo(Path.Combine(folder, "LICENSE.txt")).Length > 500, folder);
            string readme = File.ReadAllText(Path.Combine(folder, "README.md"));
            Assert.Contains($"npm `{model.NpmPackage}` {model.Version}", readme, StringComparison.Ordinal);
            Assert.Contains(model.Sha256, readme, StringComparison.Ordinal);
            Assert.Contains(model.TrainingData, readme, StringComparison.Ordinal);
            if (package["NpmPackage"].Length > 0)
            {
                Assert.Equal(
                    (model.NpmPackage, model.Version, model.File, model.Sha256),
                    (package["NpmPackage"], package["NpmVersion"], package["NpmFile"], package["NpmSha256"]));
            }
        }
    }

    [Fact]
    public void Training_references_TorchSharp_and_no_libtorch()
    {
        string project = File.ReadAllText(Path.Combine(Checkout.Root, "src", "UniFace.Training", "packages.lock.json"));
        Assert.Contains("\"TorchSharp\"", project, StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch", project, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Dictionary<string, string>> ReadPackages()
    {
        ProcessStartInfo start = new("dotnet", ["msbuild", Path.Combine("build", "Packaging", "List.proj"), "-getTargetResult:List", "-nodeReuse:false"])
        {
            WorkingDirectory = Checkout.Root,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return [.. JsonDocument.Parse(output).RootElement.GetProperty("TargetResults").GetProperty("List").GetProperty("Items").EnumerateArray()
            .Select(item => item.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? ""))];
    }
}
