package redact

// services are names of services whose keys are often assigned to just the name
// of the service: acme = "3f8a…". Sorted. Names that are also common words are
// not included.
var services = [...]string{
	"abbyssale", "abuseipdb", "abyssale", "accuweather", "acme", "activecampaign", "adafruit", "adobe", "adyen", "adzuna", "aeroworkflow", "aha",
	"aiprise", "airbrake", "airship", "airtable", "airvisual", "aiven", "akamai", "alchemy", "alconost", "alegra", "aletheia", "algolia", "alibaba",
	"alienvault", "allsports", "amadeus", "ambee", "amplitude", "anthropic", "anypoint", "apacta", "apiai", "apiary", "apideck", "apiflash",
	"apifonica", "apify", "apilayer", "apimatic", "apimetrics", "apiscience", "apitemplate", "appcues", "appfollow", "appointedd", "appoptics",
	"appsynergy", "apptivo", "artifactory", "artsy", "asana", "assemblyai", "atera", "atlassian", "attio", "audd", "auth0", "autodesk", "autoklose",
	"avaza", "avazapersonal", "avialabs", "aviationstack", "axonaut", "aylien", "ayrshare", "backblaze", "bannerbear", "baremetrics", "baseapi",
	"baseten", "beamer", "beebole", "besnappy", "besttime", "betterstack", "bigcommerce", "billomat", "bingsubscription", "bitbar", "bitbucket",
	"bitcoinaverage", "bitfinex", "bitgo", "bitly", "bitmex", "bittrex", "bitwarden", "blablabus", "blazemeter", "blitapp", "blocknative", "bombbomb",
	"boostnote", "borgbase", "braintree", "brandfetch", "braze", "brex", "browserstack", "browshot", "bscscan", "buddyns", "budibase", "bugherd",
	"bugsnag", "buildkite", "bulbul", "bulksms", "buttercms", "caflou", "calendarific", "calendly", "calorieninja", "campayn", "cannyio", "canva",
	"capsulecrm", "captaindata", "carboninterface", "cargoio", "cashboard", "caspio", "cassandra", "censys", "centralstation", "cerebras", "cexio",
	"chargebee", "chartmogul", "chatfule", "chatwork", "checio", "checklyhq", "checkout", "checkvist", "cicero", "circleci", "civo", "clarifai",
	"clearbit", "clickhelp", "clicksend", "clickup", "cliengo", "clientary", "clinchpad", "clockify", "clockworksms", "clojars", "closecrm",
	"cloudconvert", "cloudelements", "cloudflare", "cloudimage", "cloudinary", "cloudmersive", "cloudplan", "cloudsmith", "cloudways", "cloverly",
	"cloze", "clustdoc", "codacy", "codeclimate", "codecov", "codemagic", "codequiry", "coderay", "cohere", "coinapi", "coinbase", "coinlayer",
	"coinlib", "coinmarketcap", "commercejs", "companyhub", "confluent", "contabo", "contentful", "contentstack", "conversiontools", "convertapi",
	"convertkit", "copyscape", "couchbase", "countrylayer", "coveralls", "coze", "craftmypdf", "cratesio", "crossbrowsertesting", "crowdin",
	"crowdstrike", "cryptocompare", "currencycloud", "currencyfreaks", "currencylayer", "currencyscoop", "currentsapi", "customerguru", "customerio",
	"cyberark", "d7network", "dailyco", "dandelion", "dareboost", "databox", "databricks", "datadog", "datagov", "datarobot", "debounce", "deepai",
	"deepgram", "deepl", "deepseek", "delighted", "deno", "deputy", "detectify", "detectlanguage", "dfuse", "diffbot", "diggernaut", "digicert",
	"digitalocean", "discogs", "discord", "discordwebhook", "disqus", "dnscheck", "dockerhub", "docparser", "documo", "docusign", "docusketch",
	"doppler", "dotdigital", "dotmailer", "dovico", "dribbble", "dronahq", "droneci", "dropbox", "drupal", "duffel", "duply", "dwolla", "dynatrace",
	"dyspatch", "eagleeyenetworks", "easyinsight", "easypost", "ecostruxureit", "edamam", "edenai", "eightxeight", "elasticemail", "elasticsearch",
	"elevenlabs", "enablex", "endorlabs", "envoyapikey", "etherscan", "ethplorer", "etsy", "eventbee", "eventbrite", "everhour", "exchangerateapi",
	"exchangeratesapi", "exoscale", "exportsdk", "extractorapi", "faceplusplus", "facepp", "fastforex", "fastly", "fastspring", "fauna", "feedier",
	"fetchrss", "fibery", "figma", "fileio", "finage", "financialmodelingprep", "findl", "finicity", "finnhub", "firebase", "firecrawl", "fireworks",
	"fixerio", "flatio", "fleetbase", "flexport", "flickr", "flightapi", "flightlabs", "flightstats", "flowflu", "flutterwave", "flyio", "fmfw",
	"formbucket", "formcraft", "formio", "formsite", "foursquare", "foxpass", "frameio", "freshbooks", "freshdesk", "freshsales", "freshservice",
	"fullstory", "fxmarket", "gcp", "geckoboard", "gengo", "geoapify", "geocode", "geocodify", "geocodio", "geoipifi", "geokeo", "getemail",
	"getemails", "getgeoapi", "getgist", "getresponse", "getsandbox", "gitea", "gitee", "gitlab", "gitter", "glassnode", "gocanvas", "gocardless",
	"godaddy", "goodday", "graceph", "grafana", "graphcms", "graphhopper", "greenhouse", "groovehq", "groq", "gtmetrix", "guardianapi", "gumroad",
	"gyazo", "happyscribe", "hashicorp", "hasura", "heatmapapi", "hellosign", "helpcrunch", "helpscout", "hereapi", "heroku", "hetzner", "hiveage",
	"holidayapi", "honeybadger", "honeycomb", "hostinger", "html2pdf", "htmlcss", "hubspot", "huggingface", "hybiscus", "hypertrack", "iconfinder",
	"iexapis", "iexcloud", "imagekit", "imagga", "infobip", "infura", "inngest", "inoreader", "insightly", "instabot", "instagram", "instamojo",
	"instatus", "integromat", "intercom", "interseller", "intra42", "intrinio", "invoiceocean", "ip2location", "ipapi", "ipdata", "ipgeolocation",
	"ipify", "ipinfo", "ipinfodb", "ipquality", "ipstack", "jenkins", "jfrog", "jira", "jiratoken", "joomla", "jotform", "jumpcloud", "jupiterone",
	"juro", "kaiten", "kanbantool", "karmacrm", "keenio", "keycdn", "kibana", "kickbox", "kinsta", "klaviyo", "klipfolio", "knapsackpro", "kontent",
	"kraken", "kucoin", "kylas", "langfuse", "langsmith", "languagelayer", "larksuite", "lastfm", "lastpass", "launchdarkly", "leadfeeder", "lemlist",
	"lemonsqueezy", "lendflow", "lessannoyingcrm", "lexigram", "linearapi", "linemessaging", "linenotify", "linkedin", "linkpreview", "linode",
	"liveagent", "livestorm", "loadmill", "lob", "localazy", "locationiq", "logentries", "loggly", "loginradius", "logzio", "lokalise", "looker",
	"loyverse", "lunchmoney", "luno", "magento", "magicbell", "mailboxlayer", "mailboxvalidator", "mailchimp", "mailerlite", "mailersend", "mailgun",
	"mailjet", "mailmodo", "mailsac", "mandrill", "mapbox", "mapquest", "marketstack", "mattermost", "mavenlink", "maxmind", "meaningcloud",
	"mediastack", "meilisearch", "meistertask", "memcached", "meraki", "mesibo", "messagebird", "metaapi", "metabase", "metrilo", "midise",
	"mindmeister", "minio", "mistral", "mite", "mixmax", "mixpanel", "mockaroo", "mongodb", "monkeylearn", "moonclerk", "moosend", "moralis",
	"mparticle", "mrticktock", "myfreshworks", "myintervals", "nacos", "namecheap", "nasdaqdatalink", "natureremo", "netcore", "nethunt", "netlify",
	"netsuite", "neutrinoapi", "newrelic", "newsapi", "newscatcher", "nexmo", "nftport", "ngc", "ngrok", "nicereply", "nightfall", "noticeable",
	"notion", "nozbe", "nuget", "numverify", "nutritionix", "nvapi", "nvidia", "nylas", "nytimes", "oanda", "octopus", "okta", "okteto", "omnisend",
	"onedesk", "onelogin", "onepagecrm", "onepassword", "onesignal", "onfleet", "oopspam", "openai", "openaq", "opencage", "opendatasoft", "openrouter",
	"openuv", "openvpn", "openweather", "openweathermap", "opsgenie", "optimizely", "ovh", "owlbot", "packagecloud", "pagarme", "pagerduty", "pandadoc",
	"pandascore", "paperform", "paralleldots", "parsehub", "parseur", "partnerstack", "passbase", "pastebin", "patreon", "paydirt", "paymo", "paymongo",
	"paypal", "paystack", "pdflayer", "pdfshift", "peopledatalabs", "pepipost", "perplexity", "photoroom", "phraseaccesstoken", "pinata", "pinecone",
	"pingdom", "pinterest", "pipedream", "pipedrive", "pivotaltracker", "pixabay", "plaid", "plaidkey", "planetscale", "planview", "planyo", "plivo",
	"podio", "pollsapi", "poloniex", "portainer", "positionstack", "postageapi", "posthog", "postman", "postmark", "powrbot", "prefect", "prestashop",
	"privateai", "procore", "prodpad", "producthunt", "prospectcrm", "prospectio", "protocolsio", "proxycrawl", "pubnub", "pulumi", "purestake",
	"pushbullet", "pusher", "pushover", "pypi", "qase", "qualaroo", "qualtrics", "qubole", "quickbase", "quickbooks", "quickmetrics", "quicknode",
	"rabbitmq", "rapidapi", "rawg", "razorpay", "reachmail", "reallysimplesystems", "rebrandly", "rechargepayments", "refiner", "rentman",
	"repairshopr", "replyio", "requestfinance", "restpack", "restpackhtml", "restpackscreenshot", "retellai", "revampcrm", "revenuecat", "ringcentral",
	"ritekit", "roaring", "robinhood", "rocketreach", "rollbar", "roninapp", "rootly", "rownd", "rubygems", "runpod", "runrunit", "runscope",
	"salesblink", "salescookie", "salesflare", "salesforce", "salesloft", "salesmate", "sanity", "satismeter", "sauce", "saucelabs", "scaleway",
	"scalewaykey", "scalingo", "scalr", "scrapeowl", "scraperapi", "scraperbee", "scraperbox", "scrapestack", "scrapfly", "scrapingant", "scrapingbee",
	"screenshotapi", "screenshotlayer", "scrutinizer", "securitytrails", "selectpdf", "sendbird", "sendgrid", "sendinblue", "sendpulse", "sentry",
	"serpapi", "serphouse", "serpstack", "serveless", "servicenow", "sevenpace", "sheety", "sherpadesk", "shipday", "shippo", "shodan", "shopee",
	"shopify", "shoppable", "shotstack", "shutterstock", "sidekiq", "signable", "signalwire", "signaturit", "signupgenius", "sigopt", "simfin",
	"simplesat", "simplynoted", "simvoly", "sinch", "siteleaf", "skrapp", "skybiometry", "slack", "slackwebhook", "slscan", "smartsheet", "smartsheets",
	"smartystreets", "smooch", "snipcart", "snowflake", "snyk", "sonarcloud", "sonarqube", "soundcloud", "sourcegraph", "sparkpost", "speechtext",
	"splunk", "spoonacular", "sportradar", "sportsmonk", "spotify", "squareapp", "squarespace", "squareup", "squidproxy", "sslmate", "statuscake",
	"statuspage", "statuspal", "stitchdata", "stockdata", "stormboard", "stormglass", "storyblok", "storychief", "strapi", "strava", "streak", "stripe",
	"stripo", "stytch", "sugester", "sumologic", "supabase", "supernotes", "surveyanyplace", "surveybot", "surveysparrow", "survicate", "svix",
	"swiftype", "tableau", "tailscale", "tatum", "tavily", "taxjar", "teamgate", "teamviewer", "teamwork", "technicalanalysis", "tefter", "telegram",
	"telesign", "telnyx", "testingbot", "text2data", "textmagic", "thedogapi", "thehive", "thinkific", "thousandeyes", "thycotic", "ticketmaster",
	"ticktick", "tiingo", "timecamp", "timezoneapi", "tineswebhook", "tly", "tmetric", "todoist", "toggl", "togglplan", "tomorrowio", "tomtom",
	"tradier", "transferwise", "transloadit", "travelpayouts", "travisci", "trello", "trelloapikey", "truenas", "twelvedata", "twilio", "twitch",
	"twitter", "tyntec", "typeform", "typetalk", "ubidots", "uclassify", "unifyid", "unplugg", "unsplash", "upcdatabase", "upcloud", "uplead",
	"uploadcare", "upstash", "uptimerobot", "upwave", "urlscan", "userflow", "userstack", "uservoice", "vagrantcloud", "vatlayer", "vaultwarden",
	"vbout", "vercel", "verimail", "veriphone", "versioneye", "vimeo", "virustotal", "visualcrossing", "voiceflow", "voicegain", "vonage", "vouchery",
	"vpnapi", "vpsie", "vultr", "vyte", "wakatime", "walkscore", "weatherbit", "weatherstack", "webex", "webflow", "webscraper", "webscraping",
	"weebly", "wepay", "whoxy", "woocommerce", "wordpress", "worksnaps", "workstack", "worldcoinindex", "worldweather", "wpengine", "wrike", "xai",
	"xero", "yandex", "yelp", "yext", "ynab", "youneedabudget", "yousign", "zapier", "zapierwebhook", "zendesk", "zenkit", "zenrows",
	"zenscrape", "zenserp", "zeplin", "zerobounce", "zerotier", "zipapi", "zipbooks", "zipcodeapi", "zipcodebase", "zoho", "zohocrm", "zonkafeedback",
	"zulip", "zulipchat",
}

// suggestsKey reports whether a name contains the name of a service, or ends with
// a word for something that grants access.
func suggestsKey(s string) bool {
	if len(s) > maxName {
		return false
	}
	var w words
	w.split(s)
	for i := range w.count {
		if isServiceWord(w.part(i)) || i == w.count-1 && isAccessWord(w.part(i)) {
			return true
		}
	}
	return false
}
