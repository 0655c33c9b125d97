//! Which methods of .NET objects do nothing but compute. Everything else is code that the text does not tell.

use super::parsed::Member;

/// Types whose static methods only compute, in lower case, without `System.`.
const TYPES: [&str; 32] = [
    "datetime",
    "datetimeoffset",
    "dateonly",
    "timeonly",
    "timespan",
    "math",
    "guid",
    "string",
    "char",
    "int",
    "int32",
    "int64",
    "long",
    "uint32",
    "uint64",
    "byte",
    "double",
    "single",
    "float",
    "decimal",
    "bool",
    "boolean",
    "regex",
    "text.regularexpressions.regex",
    "convert",
    "version",
    "uri",
    "ipaddress",
    "net.ipaddress",
    "bigint",
    "hashtable",
    "array",
];

/// Instance methods that only compute, in lower case.
const METHODS: [&str; 58] = [
    "tostring",
    "toupper",
    "tolower",
    "toupperinvariant",
    "tolowerinvariant",
    "trim",
    "trimstart",
    "trimend",
    "split",
    "replace",
    "substring",
    "startswith",
    "endswith",
    "contains",
    "containskey",
    "containsvalue",
    "indexof",
    "lastindexof",
    "padleft",
    "padright",
    "equals",
    "compareto",
    "gettype",
    "gethashcode",
    "getenumerator",
    "tochararray",
    "adddays",
    "addhours",
    "addminutes",
    "addseconds",
    "addmonths",
    "addyears",
    "addmilliseconds",
    "subtract",
    "touniversaltime",
    "tolocaltime",
    "toshortdatestring",
    "tolongdatestring",
    "toshorttimestring",
    "tooadate",
    "tofiletime",
    "tofiletimeutc",
    "tounixtimeseconds",
    "isnullorempty",
    "getvalue",
    "getlength",
    "getupperbound",
    "toarray",
    "where",
    "matches",
    "match",
    "ismatch",
    "getstring",
    "getbytes",
    "sort",
    "normalize",
    "join",
    "isdaylightsavingtime",
];

/// Properties that people ask for by name (`% Name`), in lower case.
const PROPERTIES: [&str; 26] = [
    "name",
    "id",
    "displayname",
    "count",
    "length",
    "mail",
    "userprincipalname",
    "primarysmtpaddress",
    "emailaddresses",
    "value",
    "values",
    "key",
    "keys",
    "fullname",
    "identity",
    "alias",
    "guid",
    "title",
    "url",
    "description",
    "members",
    "status",
    "state",
    "type",
    "objectid",
    "groupid",
];

/// Whether the call computes only.
pub(super) fn is_harmless(member: &Member) -> bool {
    let Some(name) = member.name.as_deref().map(str::to_lowercase) else {
        return false;
    };
    if member.is_static {
        let kind = member.on.to_lowercase();
        let kind = kind.trim_start_matches('[').trim_end_matches(']');
        let kind = kind.strip_prefix("system.").unwrap_or(kind);
        let is_collection = kind.starts_with("collections.") && name == "new";
        return TYPES.contains(&kind) || is_collection;
    }
    METHODS.contains(&name.as_str())
}

/// Whether `ForEach-Object NAME` reads a property, or calls a method that only computes.
pub(super) fn is_harmless_name(name: &str) -> bool {
    let name = name.to_lowercase();
    PROPERTIES.contains(&name.as_str()) || METHODS.contains(&name.as_str())
}
