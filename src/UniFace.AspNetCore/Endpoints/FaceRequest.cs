namespace UniFace.AspNetCore.Endpoints;

/// <summary>Fields of every request with photos.</summary>
internal abstract record FaceRequest
{
    /// <summary>The photos are aligned faces of the model's size already (112x112).</summary>
    public bool Aligned { get; init; }

    /// <summary>Return the aligned faces.</summary>
    public bool Crops { get; init; }
}
