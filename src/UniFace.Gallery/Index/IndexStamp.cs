namespace UniFace.Gallery.Index;

/// <summary>What a stored index is a picture of: it is of use only where all of this still holds.</summary>
/// <param name="Owner">Whose rows they are, e.g. a gallery's id; up to 128 characters.</param>
/// <param name="ContractId">Contract id of the model that made the rows; up to 128 characters.</param>
/// <param name="Change">The owner's change counter when the index was stored.</param>
public sealed record IndexStamp(string Owner, string ContractId, long Change);
