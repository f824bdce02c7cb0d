namespace UniFace.Gallery.Tests;

/// <summary>Assertions on the errors that a user sees.</summary>
internal static class ErrorAssert
{
    /// <summary>Asserts that work fails with one line that contains some words.</summary>
    public static async Task ContainsAsync(string words, Func<Task> work)
    {
        string message = (await Assert.ThrowsAnyAsync<UniFaceException>(work)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
