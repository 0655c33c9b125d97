//! [`Cloud`]: which of Microsoft's clouds a tenant is in. A national cloud has sign-in pages, services and host names of
//! its own, and a module needs a parameter to go there.

/// One of Microsoft's clouds. GCC is no cloud of its own: its tenants sign in where everybody does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Cloud {
    /// The one that nobody has to name.
    #[default]
    Global,
    /// GCC High (Azure Government).
    UsGovHigh,
    /// The US Department of Defense.
    UsGovDod,
    /// Operated by 21Vianet.
    China,
}

impl Cloud {
    /// The national ones, by the word that connections and modules use.
    pub(crate) const NATIONAL: [(&str, Self); 3] = [
        ("us_gov_high", Self::UsGovHigh),
        ("us_gov_dod", Self::UsGovDod),
        ("china", Self::China),
    ];

    /// The words that a connection may have.
    pub(crate) const EXPECTED: &str = "`global`, `us_gov_high`, `us_gov_dod` or `china`";

    /// The cloud of a word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        if word == "global" {
            return Some(Self::Global);
        }
        let found = Self::NATIONAL.iter().find(|(known, _)| *known == word);
        found.map(|(_, cloud)| *cloud)
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        let found = Self::NATIONAL.iter().find(|(_, cloud)| *cloud == self);
        found.map_or("global", |(word, _)| word)
    }

    /// What follows the tenant's own label in the host name of its `SharePoint`.
    pub(crate) fn sharepoint_domain(self) -> &'static str {
        match self {
            Self::Global => "sharepoint.com",
            Self::UsGovHigh => "sharepoint.us",
            Self::UsGovDod => "sharepoint-mil.us",
            Self::China => "sharepoint.cn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_a_cloud_and_back() {
        for cloud in [
            Cloud::Global,
            Cloud::UsGovHigh,
            Cloud::UsGovDod,
            Cloud::China,
        ] {
            assert_eq!(Cloud::of_word(cloud.word()), Some(cloud));
            assert!(Cloud::EXPECTED.contains(cloud.word()));
        }
        assert_eq!(Cloud::of_word("gcc"), None);
    }
}
