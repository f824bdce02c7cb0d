namespace UniFace;

/// <summary>A model as far as those who store and compare its embeddings need it. A face recognizer is one.</summary>
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
