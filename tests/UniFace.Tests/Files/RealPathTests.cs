using UniFace.IO;
using UniFace.Tests.Data;

namespace UniFace.Tests.Files;

/// <summary>Paths that lead to the same file or folder are recognised as the same, with links, separators and parts that do not exist.</summary>
public class RealPathTests
{
    [Fact]
    public void Links_dots_and_trailing_separators_resolve_to_the_same_path()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links take a privilege on Windows");
        using TempFolder folder = new();
        folder.Write("a/b/x", [1]);
        Directory.CreateSymbolicLink(folder["link"], "a/b");
        Directory.CreateSymbolicLink(folder["a/back"], folder["link"]);
        Directory.CreateSymbolicLink(folder["a/b/round"], "../back/..");
        File.CreateSymbolicLink(folder["loop"], "loop");
        string root = RealPath.Resolve(folder.Root);
        Assert.Equal(Path.Combine(root, "a/b/new/x"), RealPath.Resolve(folder["a/back/new/x"]));
        Assert.Equal(Path.Combine(root, "a/b"), RealPath.Resolve(folder["link/./"]));
        Assert.Equal(Path.Combine(root, "a"), RealPath.Resolve(folder["link/round"]));
        Assert.Equal(Path.Combine(root, "loop"), RealPath.Resolve(folder["loop"]));
        Assert.Equal("/", RealPath.Resolve("/"));
    }

    [Fact]
    public void A_folder_holds_itself_and_its_content_and_not_its_siblings()
    {
        using TempFolder folder = new();
        HashSet<string> folders = RealPath.ResolveAll([folder["photos"]]);
        Assert.NotNull(RealPath.Holding(folders, RealPath.Resolve(folder["photos/"])));
        Assert.NotNull(RealPath.Holding(folders, RealPath.Resolve(folder["photos/x/y"])));
        Assert.Null(RealPath.Holding(folders, RealPath.Resolve(folder["photos2"])));
        Assert.Null(RealPath.Holding(folders, RealPath.Resolve(folder.Root)));
    }

    [Fact]
    public void Paths_that_differ_in_case_are_equal_only_on_a_case_insensitive_file_system()
    {
        using TempFolder folder = new();
        folder.Write("photos/x", [1]);
        string root = RealPath.Resolve(folder.Root);
        Assert.Equal(Directory.Exists(folder["PHOTOS"]), RealPath.Same(Path.Combine(root, "photos"), Path.Combine(root, "PHOTOS")));
        folder.Write("PHOTOS/y", [1]);
        Assert.Equal(File.Exists(folder["PHOTOS/x"]), RealPath.Same(Path.Combine(root, "photos"), Path.Combine(root, "PHOTOS")));
    }
}
