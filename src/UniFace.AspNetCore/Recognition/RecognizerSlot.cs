namespace UniFace.AspNetCore.Recognition;

/// <summary>Owns the service's recognizer. If no model is loaded, there is none, and only the requests that need it are refused.</summary>
internal sealed class RecognizerSlot(Recognizer? loaded) : IAsyncDisposable
{
    /// <summary>Error message when no model is loaded.</summary>
    public const string NoModel =
        "this service has no model package, so it cannot recognize faces: create one with 'uniface demo' or get one with 'uniface models pull', " +
        "then restart the service with it";

    /// <summary>The recognizer; null if no model is loaded.</summary>
    public Recognizer? Loaded { get; } = loaded;

    /// <summary>Closes the recognizer.</summary>
    public ValueTask DisposeAsync() => Loaded?.DisposeAsync() ?? ValueTask.CompletedTask;
}
