namespace UniFace.TestSupport;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Checkout
{
    /// <summary>Its root: the folder above the tests that holds UniFace.slnx.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "UniFace.slnx")))
        {
            root = root.Parent;
        }

        return root?.FullName ?? throw new InvalidOperationException("The checkout's root was not found above the tests.");
    }
}
