namespace UniFace;

/// <summary>
/// What random numbers are drawn for. Each purpose has a stream of its own, so that no two purposes share numbers under one seed.
/// The values are part of every draw: never renumber them.
/// </summary>
internal enum RandomStream
{
    /// <summary>Order of the images in an epoch.</summary>
    EpochOrder = 1,

    /// <summary>Augmentation of one image.</summary>
    Augmentation = 2,

    /// <summary>Order of one person's images under class-balanced sampling.</summary>
    BalancedPersonOrder = 3,

    /// <summary>Order of an epoch under class-balanced sampling.</summary>
    BalancedEpochOrder = 4,

    /// <summary>Order of the people in batches of P people with K images each.</summary>
    PersonBatchOrder = 5,

    /// <summary>Order of one person's images in such batches.</summary>
    PersonBatchImages = 6,

    /// <summary>Dropout masks of one batch.</summary>
    Dropout = 7,

    /// <summary>People held out for validation.</summary>
    HeldOutPeople = 8,

    /// <summary>Images kept where a data set limits the images per person.</summary>
    ImageLimit = 9,

    /// <summary>The two halves of the people on which a calibration is checked.</summary>
    CalibrationHalves = 10,

    /// <summary>Replicates of a bootstrap.</summary>
    Bootstrap = 11,

    /// <summary>Initial class centers.</summary>
    ClassCenters = 12,

    /// <summary>Classes used by one step when only a share of them is.</summary>
    ClassSampling = 13,

    /// <summary>Margins drawn per sample (ElasticFace).</summary>
    Margins = 14,

    /// <summary>Stochastic rounding of class centers to bfloat16.</summary>
    CenterRounding = 15,

    /// <summary>Rows of the search benchmark.</summary>
    BenchmarkRows = 16,

    /// <summary>Queries of the search benchmark.</summary>
    BenchmarkQueries = 17,

    /// <summary>Mated pairs scored of a labeled set that has too many.</summary>
    MatedPairs = 18,

    /// <summary>Non-mated pairs scored of a labeled set that has too many.</summary>
    NonMatedPairs = 19,

    /// <summary>Mated pairs of a cross-validated accuracy.</summary>
    AccuracyMatedPairs = 20,

    /// <summary>Non-mated pairs of a cross-validated accuracy.</summary>
    AccuracyNonMatedPairs = 21,

    /// <summary>Order of the images of one of several weighted data sets.</summary>
    WeightedSetOrder = 22,
}
