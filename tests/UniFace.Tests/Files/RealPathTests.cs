using UniFace.IO;
using UniFace.Tests.Data;

namespace UniFace.Tests.Files;

/// <summary>Two paths to one place are known to be one, whatever links, separators and parts that do not exist are in them.</summary>
public class RealPathTests
{
    [Fact]
    public void Links_dots_and_separators_at_the_end_lead_to_the_same_place()
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
    public void A_folder_holds_itself_and_what_is_in_it_and_not_its_neighbours()
    {
        using TempFolder folder = new();
        HashSet<string> folders = RealPath.ResolveAll([folder["photos"]]);
        Assert.NotNull(RealPath.Holding(folders, RealPath.Resolve(folder["photos/"])));
        Assert.NotNull(RealPath.Holding(folders, RealPath.Resolve(folder["photos/x/y"])));
        Assert.Null(RealPath.Holding(folders, RealPath.Resolve(folder["photos2"])));
        Assert.Null(RealPath.Holding(folders, RealPath.Resolve(folder.Root)));
    }

    [Fact]
    public void Names_that_differ_in_case_are_one_place_only_where_the_file_system_says_so()
    {
        using TempFolder folder = new();
        folder.Write("photos/x", [1]);
        string root = RealPath.Resolve(folder.Root);
        Assert.Equal(Directory.Exists(folder["PHOTOS"]), RealPath.Same(Path.Combine(root, "photos"), Path.Combine(root, "PHOTOS")));
        folder.Write("PHOTOS/y", [1]);
        Assert.Equal(File.Exists(folder["PHOTOS/x"]), RealPath.Same(Path.Combine(root, "photos"), Path.Combine(root, "PHOTOS")));
    }
}
