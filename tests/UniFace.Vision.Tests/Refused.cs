namespace UniFace.Vision.Tests;

/// <summary>Asserts that bad input is refused with a message.</summary>
internal static class Refused
{
    /// <summary>The message contains a text.</summary>
    public static void With(string message, Action action) =>
        Assert.Contains(message, Assert.Throws<UniFaceException>(action).Message, StringComparison.Ordinal);
}
