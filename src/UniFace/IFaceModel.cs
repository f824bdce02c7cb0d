namespace UniFace;

/// <summary>What a gallery needs to know of a model. A face recognizer is one.</summary>
public interface IFaceModel
{
    /// <summary>Only embeddings of the same contract are comparable.</summary>
    string ContractId { get; }

    /// <summary>Values in an embedding.</summary>
    int EmbeddingSize { get; }

    /// <summary>The false match rate of each threshold; null if the model is not calibrated.</summary>
    internal Calibration? Calibration => null;

    /// <summary>Path of the model's package; null if it has none.</summary>
    internal string? PackagePath => null;
}
